/** Words of checking a receipt, for whoever was handed one. */
export default {
  title: 'Is this receipt genuine?',
  text: 'Enter what stands at the foot of the receipt or credit note, or scan its QR code.',
  number: 'Number',
  numberHint: 'Such as R-2026-000021.',
  numberMissing: 'Enter the number of the receipt.',
  word: 'Check word',
  wordHint: 'The letters beside the QR code.',
  wordMissing: 'Enter the check word of the receipt.',
  submit: 'Check it',
  genuine: '{{number}} is genuine',
  genuineText: 'We issued it, and this is what it says.',
  unknown: 'This is no receipt of ours',
  unknownText:
    'Number and check word do not belong together. Check both; if they are right, the paper is not genuine.',
  issued: 'Issued',
  operator: 'By',
  total: 'Total',
  back: 'Paid back',
  tax: 'Taxes in it',
  lot: 'Car park',
  other: 'Check another one',
}
