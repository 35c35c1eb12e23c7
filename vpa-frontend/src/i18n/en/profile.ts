export default {
  title: 'Profile',
  since: 'With us since {{date}}',
  you: {
    title: 'About you',
    email: 'E-mail address',
    emailHint: 'You sign in with it. It is changed under Security.',
    name: 'Name',
    nameMissing: 'Enter your name.',
    nameLong: 'Use 100 characters at most.',
    phone: 'Phone',
    phoneWrong: 'Enter a telephone number, such as +49 351 123456, or leave it empty.',
    timezone: 'Time zone',
    timezoneHint: 'Dates of your account follow it. A car park’s times are always its own.',
    useDevice: 'Use this device’s: {{zone}}',
    locale: 'Dates and numbers',
    localeHint: 'Such as {{sample}}',
    submit: 'Save changes',
    saved: 'Your profile was saved.',
  },
  look: {
    title: 'Appearance',
    text: 'Kept in this browser.',
  },
  security: {
    title: 'Security',
    text: 'Password, second factor, address, sign-ins elsewhere, and your data.',
    open: 'Open security',
  },
  leave: {
    title: 'Signed in',
    text: 'On a device that others use, sign out when you are done.',
    here: 'Sign out',
    everywhere: 'Sign out everywhere',
    confirmTitle: 'Sign out everywhere?',
    confirmText:
      'Every device and browser that is signed in with {{email}} is signed out at once, this one too.',
  },
}
