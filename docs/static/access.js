// What is wider than the page scrolls, so the keyboard must reach it; what is shown smaller than it is leads to the whole
// picture; both sidebars have a name, and the page of the search a heading.
addEventListener("load", () => {
  for (const box of document.querySelectorAll("pre, .table-wrapper, .cell_output, .math-wrapper"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  for (const picture of document.querySelectorAll("article :not(a) > img"))
    if (picture.width < 0.9 * picture.naturalWidth) {
      const link = document.createElement("a");
      link.href = picture.src;
      picture.replaceWith(link);
      link.append(picture);
    }
  document.querySelector("aside.sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector("aside.toc-drawer")?.setAttribute("aria-label", "On this page");
  if (!document.querySelector("h1"))
    document.getElementById("search-results")?.insertAdjacentHTML("beforebegin", "<h1>Search</h1>");
});
// A browser lets no page read a file, so the search of a site opened from a folder shows titles without their text.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
