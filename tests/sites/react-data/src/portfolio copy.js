const about = {
  name: 'Mara Lind',
  role: 'Apprentice',
}

export { about }
