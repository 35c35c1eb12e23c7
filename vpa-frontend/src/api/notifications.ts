import { call, type Schema } from './http'

/** Something that one was told in the app. */
export type Notification = Schema<'Notification'>
/** By which way one kind of them comes. */
export type NotificationChoice = Schema<'NotificationChoice'>
export type NotificationWish = Schema<'NotificationWish'>
export type NotificationKind = Notification['kind']

export interface NotificationQuery {
  limit: number
  unread?: boolean
  cursor?: string
}

export const listNotifications = (query: NotificationQuery, signal?: AbortSignal) =>
  call('get', '/api/v1/notifications', { query, signal })

/** Takes down that these were read, or all up to one. */
export const markRead = (body: Schema<'NotificationsRead'>) =>
  call('post', '/api/v1/notifications/read', { body })

export const listChoices = (signal?: AbortSignal) =>
  call('get', '/api/v1/me/notification-settings', { signal })

export const choose = (wish: NotificationWish) =>
  call('patch', '/api/v1/me/notification-settings', { body: { items: [wish] } })
