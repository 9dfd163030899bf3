export const siteTitle = 'Tide tables'

export const navItems = [
	{
		title: 'Journal',
		route: '/blog'
	}, {
		title: 'About',
		route: '/about'
	}, {
		title: 'Contact',
		route: '/contact'
	},
]
