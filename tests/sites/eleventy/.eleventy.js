module.exports = function (config) {
  return { dir: { input: 'src', output: '_site' } }
}
