import Vue from 'vue'
import Router from 'vue-router'
import AppHeader from './layout/AppHeader'
import AppFooter from './layout/AppFooter'
import Harbour from './views/Harbour.vue'
import Boats from './views/Boats.vue'

Vue.use(Router)

export default new Router({
  routes: [
    { path: '/', name: 'harbour', components: { header: AppHeader, default: Harbour, footer: AppFooter } },
    { path: '/boats', name: 'boats', components: { header: AppHeader, default: Boats, footer: AppFooter } },
  ],
})
