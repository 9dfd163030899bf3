export default defineAppConfig({
  site: { name: 'Velo', phone: '+31 20 555 0101' },
  menu: [
    { label: 'Bikes', to: '/bikes' },
    { label: 'Workshop', to: '/workshop' },
    { label: 'About', to: '/about' },
  ],
})
