import '@/styles/base.css'
import '@/styles/tokens.css'
import { VueQueryPlugin } from '@tanstack/vue-query'
import i18next from 'i18next'
import I18NextVue from 'i18next-vue'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '@/App.vue'
import { queryClient } from '@/app/queries'
import { followTheme } from '@/app/theme'
import { startWords } from '@/i18n'
import { breathe } from '@/lib/breathe'
import { useInstallation } from '@/queries/installation'
import { createAppRouter } from '@/router'
import { useSession } from '@/stores/session'

const pinia = createPinia()
const session = useSession(pinia)
followTheme(pinia)

// Who is signed in decides which page is shown, so both are known before the first one.
await Promise.all([startWords(), session.restore()])

const app = createApp(App)
  .use(pinia)
  .use(VueQueryPlugin, { queryClient })
  .use(I18NextVue, { i18next })

// A touch or a key is answered between the pieces of the start.
await breathe()
const router = createAppRouter(session)
await breathe()
app.use(router)
await breathe()
app.mount('#app')
await breathe()
app.runWithContext(useInstallation)
