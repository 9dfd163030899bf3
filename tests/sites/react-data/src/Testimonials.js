export const Testimonials = () => (
  <blockquote>
    <p>It has never stopped.</p>
  </blockquote>
)
