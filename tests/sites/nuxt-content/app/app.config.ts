export default defineAppConfig({
  email: 'desk@apiary.example',
  ui: {
    pageHero: {
      slots: {
        title: 'mx-auto text-pretty',
        description: 'mt-2 text-muted',
      },
    },
  },
})
