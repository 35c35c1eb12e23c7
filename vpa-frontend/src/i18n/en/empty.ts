/** Words of a search that found nothing. */
export default {
  title: 'No lot matches this search',
  filters: 'Fewer filters may find one.',
  clearFilters: 'Clear the filters',
  far: 'There is none this close.',
  wider: 'Search within {{distance}}',
  text: 'Check the spelling, or search for a city.',
  all: 'Show all lots',
  none: 'No car park has opened here yet.',
}
