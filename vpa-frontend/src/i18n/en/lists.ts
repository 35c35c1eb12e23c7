/** Lists that come in pages, and the search in them. */
export default {
  pages: 'Pages',
  range: '{{from, number}} – {{to, number}} of {{total, number}}',
  rangeOpen: '{{from, number}} – {{to, number}}',
  previous: 'Previous',
  first: 'First page',
  next: 'Next',
}
