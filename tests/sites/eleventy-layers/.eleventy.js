module.exports = function (config) {
  return { dir: { input: '.', includes: '_includes', data: '_data', output: '_site' } }
}
