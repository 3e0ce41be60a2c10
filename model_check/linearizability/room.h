/* room.h: large memory that is accessed at random, in huge pages where there are any. Blocks given back are
 * kept for the next, up to a gibibyte of them: checks of one round after another would otherwise spend a
 * tenth of their time on the system's clearing of new pages. Any thread may call.
 */
#ifndef LIN_ROOM_H
#define LIN_ROOM_H

#include <stdbool.h>
#include <stddef.h>

/* NULL: out of memory. */
void *lin_room(size_t size, bool cleared);

/* `size` as it was asked for. */
void lin_room_free(void *room, size_t size);

#endif
