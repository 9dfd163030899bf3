module.exports = [
  { title: 'Middlemarch', author: 'George Eliot', month: 'January' },
  { title: 'Beloved', author: 'Toni Morrison', month: 'February' },
]
