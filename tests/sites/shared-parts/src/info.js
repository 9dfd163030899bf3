export const skills = [
  { title: "Throwing" },
  { title: "Glazing" },
];
