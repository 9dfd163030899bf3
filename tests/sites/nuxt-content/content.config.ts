import { defineCollection } from '@nuxt/content'

export default {
  collections: {
    start: defineCollection({ type: 'page', source: 'index.yml' }),
    about: defineCollection({ type: 'page', source: 'about.yml' }),
  },
}
