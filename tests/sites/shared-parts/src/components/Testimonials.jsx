import Container from "./Container";

export default function Testimonials() {
  return (
    <Container>
      <h2>Testimonials</h2>
      <blockquote>They hold tea.</blockquote>
    </Container>
  );
}
