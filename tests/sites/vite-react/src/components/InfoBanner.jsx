export const InfoBanner = () => (
  <div className="info-banner">
    <p>The hall is closed on 24 December.</p>
  </div>
)
