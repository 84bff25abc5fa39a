// Names beside points.

/** Where the names of points stand so that they cover no point and no name; null where there is no room. */
export function labelPlaces(points: [number, number][], names: string[], width: number): ('right' | 'left' | 'top' | 'bottom' | null)[] {
  type Box = [left: number, top: number, right: number, bottom: number];
  const taken: Box[] = points.map(([x, y]) => [x - 5, y - 5, x + 5, y + 5]);
  const free = ([left, top, right, bottom]: Box) => left > 0 && right < width &&
    taken.every((b) => b[0] >= right || b[2] <= left || b[1] >= bottom || b[3] <= top);
  return points.map(([x, y], i) => {
    const w = 7.4 * names[i].length;
    const boxes = {right: [x + 8, y - 7, x + 8 + w, y + 7], left: [x - 8 - w, y - 7, x - 8, y + 7],
      top: [x - w / 2, y - 22, x + w / 2, y - 8], bottom: [x - w / 2, y + 8, x + w / 2, y + 22]} as Record<'right' | 'left' | 'top' | 'bottom', Box>;
    const place = (['right', 'left', 'top', 'bottom'] as const).find((side) => free(boxes[side])) ?? null;
    if (place) taken.push(boxes[place]);
    return place;
  });
}
