export default defineNuxtConfig({
  app: {
    head: {
      title: 'Velo: bicycles',
      meta: [{ name: 'description', content: 'Bicycles built to last.' }],
    },
  },
  modules: ['@nuxt/content'],
})
