#include "user_model.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_BYTES = 65536 };

struct lin_user_library {
    void *object;
    const lin_user_model *model;
};

static lin_user_library *refuse(void *object, const char **why, const char *reason) {
    static _Thread_local char message[512];
    (void)snprintf(message, sizeof message, "%s", reason);
    *why = message;
    if (object != NULL)
        (void)dlclose(object);
    return NULL;
}

lin_user_library *lin_user_open(const char *path, const char *name, const char **why) {
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL)
        return refuse(NULL, why, dlerror());
    const lin_user_model *model = dlsym(object, name);
    if (model == NULL)
        return refuse(object, why, "it has no such lin_user_model");
    if (model->step == NULL)
        return refuse(object, why, "its step is NULL");
    if (model->state_bytes == 0 || model->state_bytes > MOST_BYTES)
        return refuse(object, why, "its state_bytes is not 1 to 65,536");
    lin_user_library *library = malloc(sizeof *library);
    if (library == NULL)
        return refuse(object, why, "out of memory");
    *library = (lin_user_library){.object = object, .model = model};
    return library;
}

void lin_user_close(lin_user_library *library) {
    if (library == NULL)
        return;
    (void)dlclose(library->object);
    free(library);
}

size_t lin_user_state_bytes(const lin_user_library *library) {
    return library->model->state_bytes;
}

const char *lin_user_reads(const lin_user_library *library) {
    return library->model->reads != NULL ? library->model->reads : "";
}

void lin_user_initial(const lin_user_library *library, void *state) {
    memset(state, 0, library->model->state_bytes);
    if (library->model->initial != NULL)
        library->model->initial(state);
}

int lin_user_step(const lin_user_library *library, void *state, const lin_user_call *call) {
    return library->model->step(state, call);
}
