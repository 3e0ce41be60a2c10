/* user_model.h: opens a shared object with a model that a user wrote in C (lin_user_model.h). */
#ifndef LIN_OPEN_USER_MODEL_H
#define LIN_OPEN_USER_MODEL_H

#include "include/lin_user_model.h"

typedef struct lin_user_library lin_user_library;

/* Gives the model called `name` of a shared object, or NULL and why (a message that lives until the next
 * call of this thread). It stays open until lin_user_close. */
lin_user_library *lin_user_open(const char *path, const char *name, const char **why);
void lin_user_close(lin_user_library *library);

size_t lin_user_state_bytes(const lin_user_library *library);
const char *lin_user_reads(const lin_user_library *library); /* never NULL */

/* Both write lin_user_state_bytes bytes; the step gives what the model's gives. */
void lin_user_initial(const lin_user_library *library, void *state);
int lin_user_step(const lin_user_library *library, void *state, const lin_user_call *call);

#endif
