export const person = {
  name: "Ines Vega",
  title: "Hello, I'm Ines",
  links: {
    code: { name: "Code", url: "https://code.example/ines" },
    photos: { name: "Photos", url: "https://photos.example/ines" },
  },
};

export const social = {
  email: "mailto:ines@vega.example",
};

export const work = [
  { company: "Tidewater", title: "Boat builder", start: "2019" },
  { company: "Northwind", title: "Rigger", start: "2021" },
];
