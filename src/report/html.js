addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("filter");
  if (!form) return;
  const words = document.getElementById("words"), shown = document.getElementById("shown");
  const all = [...document.querySelectorAll("article")];
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/);
    const severities = new Set([...form.querySelectorAll(":checked")].map(box => box.value));
    let count = 0;
    for (const article of all) {
      const text = (article.dataset.rule + " " + article.textContent).toLowerCase();
      article.hidden = !severities.has(article.dataset.severity) || !wanted.every(word => text.includes(word));
      count += !article.hidden;
    }
    for (const rule of document.querySelectorAll("section.rule")) rule.hidden = !rule.querySelector("article:not([hidden])");
    shown.textContent = count + " of " + all.length + " shown";
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", event => event.preventDefault());
  apply();
});
