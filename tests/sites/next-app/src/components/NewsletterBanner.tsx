export const NewsletterBanner = () => (
  <aside className="bg-yellow-100 p-6">
    <h2>Get the letter</h2>
    <form>
      <input type="email" placeholder="Your work email" aria-label="Your work email" />
      <button type="submit">Subscribe</button>
    </form>
  </aside>
);
