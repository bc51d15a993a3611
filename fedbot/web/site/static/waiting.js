// Goes on by itself once the code that the page shows was said.
"use strict";
const waiting = document.querySelector("[data-waiting]");
async function look() {
  const answer = await fetch(waiting.dataset.waiting, { cache: "no-store", credentials: "same-origin" });
  if (answer.ok && (await answer.json()).signed_in) location.reload();
  else setTimeout(look, 3000);
}
if (waiting) setTimeout(look, 3000);
