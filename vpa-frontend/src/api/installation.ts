import { call } from './http'

export const getInstallation = () => call('get', '/api/v1/installation')
