// What is wider than the page scrolls, so the keyboard must reach it; what is shown smaller than it is leads to the whole
// picture; both sidebars have a name.
addEventListener("load", () => {
  for (const box of document.querySelectorAll("pre, .table-wrapper"))
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
});
