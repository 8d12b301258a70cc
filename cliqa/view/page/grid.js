// Where each file of the gallery stands: in lines of one height. Groups begin a line of their own, below a heading.

export class Grid {
  // `count` files, `across` of them in a line, lines `pitch` px apart. `starts`: the places at which groups begin, the first of them 0;
  // above each lies a heading of `head` px. Without it there are no groups.
  constructor(count, across, pitch, starts = null, head = 0) {
    Object.assign(this, { count, across, pitch });
    this.grouped = starts !== null && count > 0;
    if (!this.grouped) {
      this.lines = Math.ceil(count / across);
      this.height = this.lines * pitch;
      return;
    }
    this.firsts = []; // the first place of each line
    this.tops = []; // px
    this.begins = new Map(); // line -> place at which a group begins there
    let top = 0;
    starts.forEach((start, group) => {
      this.begins.set(this.firsts.length, start);
      top += head;
      for (let place = start; place < (starts[group + 1] ?? count); place += across) {
        this.firsts.push(place);
        this.tops.push(top);
        top += pitch;
      }
    });
    this.lines = this.firsts.length;
    this.height = top;
  }

  lineOf(place) { return this.grouped ? lastUpTo(this.firsts, place) : Math.floor(place / this.across); }

  // The first place of a line; the number of places for one beyond the last.
  first(line) { return Math.min(this.count, this.grouped ? this.firsts[line] ?? this.count : line * this.across); }

  // Where a line begins, in px, its heading left out.
  top(line) { return this.grouped ? this.tops[line] : line * this.pitch; }

  // The line that lies at so many px.
  lineAt(y) {
    const line = this.grouped ? lastUpTo(this.tops, y) : Math.floor(y / this.pitch);
    return Math.max(0, Math.min(this.lines - 1, line));
  }

  // The place so many lines below another, in the same column or at the line's end; the first or last place beyond the ends.
  below(place, lines) {
    const line = this.lineOf(place) + lines;
    if (line < 0) return 0;
    if (line >= this.lines) return this.count - 1;
    return Math.min(this.first(line) + place - this.first(this.lineOf(place)), this.first(line + 1) - 1);
  }
}

// The index of the last of some rising numbers that is at most `value`; 0 where all are more.
function lastUpTo(numbers, value) {
  let low = 0, high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
