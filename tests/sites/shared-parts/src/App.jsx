import Container from "./components/Container";
import Skills from "./components/Skills";
import Testimonials from "./components/Testimonials";

export default function App() {
  return (
    <main>
      <Container>
        <h1>Pots for people</h1>
        <button className="plain">Look around</button>
        <button className="round">Order a set</button>
      </Container>
      <Skills />
      <Testimonials />
    </main>
  );
}
