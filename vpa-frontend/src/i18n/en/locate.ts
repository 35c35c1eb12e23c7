/** Words of a position that the browser does not tell. */
export default {
  denied:
    'This page may not see where you are. Allow it in the browser’s settings, or type a place.',
  failed: 'Your position was not found. Type a place instead.',
}
