export default function Blog() {
  const count = 3;
  return (
    <main>
      <h1>
        Journal <span>{count} posts</span>
      </h1>
    </main>
  );
}
