// Runs before the page is drawn, so that a chosen theme does not flash; the switch is in app.js.
try {
  const theme = localStorage.getItem("mcp.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the theme of the system stands.
}
