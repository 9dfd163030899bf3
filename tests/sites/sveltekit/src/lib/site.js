export const site = {
	name: 'Northside Choir',
	contact: { email: 'sing@northside.example', phone: '(555) 010-2030' },
};

export const concerts = [
	{ title: 'Spring concert', place: 'Town hall', date: '4 April', price: '$10' },
	{ title: 'Carols', place: 'St. Anne', date: '20 December', price: 'free' },
];
