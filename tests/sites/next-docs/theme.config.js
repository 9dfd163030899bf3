const YEAR = new Date().getFullYear()

export default {
  footer: (
    <small>
      <time>{YEAR}</time> © Runa Berg.
      <a href="/feed.xml">RSS</a>
    </small>
  ),
}
