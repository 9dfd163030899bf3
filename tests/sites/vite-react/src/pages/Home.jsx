import Hero from '../components/Hero'
import Prices from '../components/Prices'
import Routes from '../components/Routes'
import { InfoBanner } from '../components/InfoBanner'

const Home = () => {
  return (
    <div>
      <InfoBanner />
      <Hero />
      <Routes />
      <Prices />
    </div>
  )
}

export default Home
