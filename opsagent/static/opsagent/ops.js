"use strict";

// Countdowns tick once a second by the server's clock; "/" goes to the search. Nothing here decides anything.
(function () {
  const html = document.documentElement;
  const TIMES = new Set([30, 15, 0]);

  function clock(seconds) {
    const whole = Math.floor(Math.abs(seconds));
    const minutes = Math.floor(whole / 60);
    if (minutes >= 60) {
      return Math.floor(minutes / 60) + ":" + String(minutes % 60).padStart(2, "0") + " h";
    }
    return minutes + ":" + String(whole % 60).padStart(2, "0");
  }

  function tone(left) {
    if (left < 0) return "late";
    if (left <= 15) return "last";
    return left <= 30 ? "soon" : "";
  }

  function step(ring, now) {
    const left = Math.ceil(Number(ring.dataset.due) - now);
    const total = Number(ring.dataset.total) || 60;
    const share = Math.max(0, Math.min(100, (100 * left) / total));
    ring.className = ("countdown " + tone(left)).trim();
    ring.querySelector(".left").setAttribute("stroke-dasharray", share.toFixed(1) + " 100");
    ring.querySelector(".count").textContent = (left < 0 ? ring.dataset.late + " " : "") + clock(left);
    const row = ring.closest("li, tr");
    if (row) {
      row.classList.toggle("late", left < 0);
      row.classList.toggle("last", left >= 0 && left <= 15);
    }
    return left;
  }

  function tick(rings, region, offset) {
    const now = Date.now() / 1000 + offset;
    for (const ring of rings) {
      const left = step(ring, now);
      if (region && TIMES.has(left)) region.textContent = ring.dataset.name + " " + clock(left);
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const rings = document.querySelectorAll(".countdown[data-due]");
    const region = document.getElementById("announce");
    if (rings.length) {
      const offset = Number(rings[0].dataset.now) - Date.now() / 1000;
      window.setInterval(tick, 1000, rings, region, offset);
    }
  });

  // A page that waits for a worker looks again; not while somebody types, and not behind another tab.
  document.addEventListener("DOMContentLoaded", function () {
    const waiting = document.querySelector("[data-reload]");
    if (!waiting) return;
    window.setInterval(function () {
      const typing = document.activeElement && document.activeElement.closest("input, textarea, select");
      if (!typing && !document.hidden) window.location.reload();
    }, 1000 * Number(waiting.dataset.reload));
  });

  document.addEventListener("keydown", function (event) {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = document.getElementById("search-field");
    if (!field || html.dataset.keys === "off") return;
    event.preventDefault();
    field.focus();
  });
})();
