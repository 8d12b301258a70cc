// Two pictures side by side: what is done to one happens to the other, in shares of their sizes.

// The view of the other picture that shows the same part of it at the same size on the screen.
export function sameView(view, from, to) {
  if (!view.scale) return { scale: 0, x: 0.5, y: 0.5 };
  const ratio = Math.max(from.width, from.height) / (Math.max(to.width, to.height) || 1);
  return { scale: view.scale * ratio, x: view.x, y: view.y };
}
