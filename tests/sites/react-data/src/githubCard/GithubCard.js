export default function GithubCard() {
  return <div className="card">See the plans</div>
}
