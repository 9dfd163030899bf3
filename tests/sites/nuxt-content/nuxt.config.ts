export default defineNuxtConfig({
  modules: ['@nuxt/ui', '@nuxt/content'],
})
