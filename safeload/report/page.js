"use strict";
const search = document.getElementById("search");
const filters = [...document.querySelectorAll(".filter")];
const files = [...document.querySelectorAll(".file")];
const words = files.map((file) => file.textContent.toLowerCase());
const apply = () => {
  const wanted = search.value.trim().toLowerCase();
  const kinds = new Set(filters.filter((box) => box.checked).map((box) => box.value));
  let count = 0;
  files.forEach((file, index) => {
    file.hidden = !(kinds.has(file.dataset.verdict) && words[index].includes(wanted));
    count += file.hidden ? 0 : 1;
  });
  document.getElementById("shown").textContent = `${count} of ${files.length} shown`;
};
search.addEventListener("input", apply);
filters.forEach((box) => box.addEventListener("change", apply));
apply();
