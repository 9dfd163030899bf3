export function load() {
	return {
		season: true,
		quote: 'The best evening of my week.',
	};
}
