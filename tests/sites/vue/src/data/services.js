export default [
  { id: 1, title: 'Weddings', text: 'A whole day, two cameras.', price: 'from €1,900' },
  { id: 2, title: 'Portraits', text: 'An hour in the studio.', price: '€180' },
]
