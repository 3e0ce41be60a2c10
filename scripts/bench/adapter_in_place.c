/* adapter_in_place.c: a B+-tree that changes its pages in place, with the tree's own page size, under one
 * readers-writer lock: the traditional B-tree that write amplification is compared with.
 *
 * An entry that goes into a page moves all entries behind it; a full page gives its upper half to a new
 * right sibling. Removes move entries, too, and leave pages as empty as they get: there are no merges.
 * `written` counts the bytes that are moved or stored within pages.
 */
#include "adapter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 256, ENTRY = 16 };

/* A leaf's entry i is keys[i] and its value in words[i]. An inner page's child words[i] holds the keys
 * from keys[i] on; the first child also holds the lesser ones. */
typedef struct page {
    uint32_t count, level;
    struct page *right; /* a leaf's */
    uint64_t keys[CAPACITY];
    union {
        uint64_t value;
        struct page *child;
    } words[CAPACITY];
} page;

typedef struct btree {
    pthread_rwlock_t lock;
    page *root;
    uint64_t pages, written;
} btree;

/* The number of keys <= key, branch-free. */
static unsigned count_to(const page *p, uint64_t key) {
    unsigned from = 0, n = p->count;
    while (n > 1) {
        unsigned half = n / 2;
        from += p->keys[from + half - 1] <= key ? half : 0;
        n -= half;
    }
    return from + (n == 1 && p->keys[from] <= key);
}

static unsigned child_of(const page *p, uint64_t key) {
    unsigned n = count_to(p, key);
    return n > 0 ? n - 1 : 0;
}

static page *page_new(btree *t, uint32_t level) {
    page *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    p->count = 0;
    p->level = level;
    p->right = NULL;
    t->pages++;
    return p;
}

static page *leaf_of(const btree *t, uint64_t key) {
    page *p = t->root;
    while (p->level > 0)
        p = p->words[child_of(p, key)].child;
    return p;
}

/* Gives the place of the key in its leaf, or -1. */
static int find(const page *leaf, uint64_t key) {
    unsigned n = count_to(leaf, key);
    return n > 0 && leaf->keys[n - 1] == key ? (int)n - 1 : -1;
}

static void move(btree *t, page *to, unsigned at, const page *from, unsigned first, unsigned n) {
    memmove(&to->keys[at], &from->keys[first], n * sizeof to->keys[0]);
    memmove(&to->words[at], &from->words[first], n * sizeof to->words[0]);
    t->written += (uint64_t)n * ENTRY;
}

/* Splits the full child at place i of a parent that has room. false: no memory. */
static int split(btree *t, page *parent, unsigned i) {
    page *left = parent->words[i].child, *right = page_new(t, left->level);
    if (right == NULL)
        return 0;
    unsigned half = left->count / 2;
    move(t, right, 0, left, half, left->count - half);
    right->count = left->count - half;
    left->count = half;
    right->right = left->right;
    left->right = right;
    move(t, parent, i + 2, parent, i + 1, parent->count - i - 1);
    parent->keys[i + 1] = right->keys[0];
    parent->words[i + 1].child = right;
    parent->count++;
    t->written += ENTRY;
    return 1;
}

/* Goes down to the key's leaf and splits every full page on the way. NULL: no memory. */
static page *leaf_with_room(btree *t, uint64_t key) {
    if (t->root->count == CAPACITY) {
        page *root = page_new(t, t->root->level + 1);
        if (root == NULL)
            return NULL;
        root->keys[0] = t->root->keys[0];
        root->words[0].child = t->root;
        root->count = 1;
        t->written += ENTRY;
        t->root = root;
    }
    page *p = t->root;
    while (p->level > 0) {
        if (key < p->keys[0])
            p->keys[0] = key; /* so that the parts of its first child stay in order */
        unsigned i = child_of(p, key);
        if (p->words[i].child->count == CAPACITY) {
            if (!split(t, p, i))
                return NULL;
            i = child_of(p, key);
        }
        p = p->words[i].child;
    }
    return p;
}

static int insert_new(btree *t, uint64_t key, uint64_t value) {
    page *leaf = leaf_with_room(t, key);
    if (leaf == NULL)
        return -1;
    unsigned at = count_to(leaf, key);
    move(t, leaf, at + 1, leaf, at, leaf->count - at);
    leaf->keys[at] = key;
    leaf->words[at].value = value;
    leaf->count++;
    t->written += ENTRY;
    return 1;
}

static void *btree_open(void) {
    btree *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->root = page_new(t, 0);
    if (t->root == NULL || pthread_rwlock_init(&t->lock, NULL) != 0) {
        free(t->root);
        free(t);
        return NULL;
    }
    return t;
}

static void free_pages(page *p) {
    for (unsigned i = 0; p->level > 0 && i < p->count; i++)
        free_pages(p->words[i].child);
    free(p);
}

static void btree_close(void *index) {
    btree *t = index;
    free_pages(t->root);
    pthread_rwlock_destroy(&t->lock);
    free(t);
}

static void *session_open(void *index) {
    return index;
}

static void session_close(void *session) {
    (void)session;
}

static int btree_get(void *session, uint64_t key, uint64_t *value) {
    btree *t = session;
    pthread_rwlock_rdlock(&t->lock);
    const page *leaf = leaf_of(t, key);
    int at = find(leaf, key);
    if (at >= 0)
        *value = leaf->words[at].value;
    pthread_rwlock_unlock(&t->lock);
    return at >= 0;
}

typedef enum write_kind { PUT, INSERT, UPDATE } write_kind;

static int btree_write(void *session, uint64_t key, uint64_t value, write_kind kind) {
    btree *t = session;
    int absent = 0;
    pthread_rwlock_wrlock(&t->lock);
    page *leaf = leaf_of(t, key);
    int at = find(leaf, key);
    if (at < 0) {
        absent = kind == UPDATE ? 1 : insert_new(t, key, value);
    } else if (kind != INSERT) {
        leaf->words[at].value = value;
        t->written += sizeof value;
    }
    pthread_rwlock_unlock(&t->lock);
    return absent < 0 ? -1 : kind == UPDATE ? !absent : absent;
}

static int btree_put(void *session, uint64_t key, uint64_t value) {
    return btree_write(session, key, value, PUT);
}

static int btree_insert(void *session, uint64_t key, uint64_t value) {
    return btree_write(session, key, value, INSERT);
}

static int btree_update(void *session, uint64_t key, uint64_t value) {
    return btree_write(session, key, value, UPDATE);
}

static int btree_remove(void *session, uint64_t key) {
    btree *t = session;
    pthread_rwlock_wrlock(&t->lock);
    page *leaf = leaf_of(t, key);
    int at = find(leaf, key);
    if (at >= 0) {
        move(t, leaf, (unsigned)at, leaf, (unsigned)at + 1, leaf->count - (unsigned)at - 1);
        leaf->count--;
    }
    pthread_rwlock_unlock(&t->lock);
    return at >= 0;
}

/* The first place whose key is >= low, in its leaf or a later one. */
static const page *seek(const btree *t, uint64_t low, unsigned *at) {
    const page *leaf = leaf_of(t, low);
    *at = low > 0 ? count_to(leaf, low - 1) : 0;
    return leaf;
}

static int64_t btree_scan(void *session, uint64_t low, size_t n, uint64_t *values) {
    btree *t = session;
    size_t count = 0;
    unsigned at;
    pthread_rwlock_rdlock(&t->lock);
    for (const page *leaf = seek(t, low, &at); leaf != NULL && count < n;
         leaf = leaf->right, at = 0) {
        size_t here = leaf->count - at < n - count ? leaf->count - at : n - count;
        memcpy(values + count, &leaf->words[at], here * sizeof *values);
        count += here;
    }
    pthread_rwlock_unlock(&t->lock);
    return (int64_t)count;
}

static int64_t btree_sum(void *session, uint64_t low, uint64_t high, uint64_t *sum) {
    btree *t = session;
    int64_t count = 0;
    unsigned at;
    *sum = 0;
    pthread_rwlock_rdlock(&t->lock);
    for (const page *leaf = seek(t, low, &at); leaf != NULL; leaf = leaf->right, at = 0) {
        unsigned end = count_to(leaf, high);
        for (unsigned i = at; i < end; i++)
            *sum += leaf->words[i].value;
        count += end > at ? end - at : 0;
        if (end < leaf->count)
            break;
    }
    pthread_rwlock_unlock(&t->lock);
    return count;
}

static uint64_t btree_bytes(void *index) {
    return ((btree *)index)->pages * sizeof(page);
}

static uint64_t btree_written(void *index) {
    return ((btree *)index)->written;
}

extern const bench_adapter bench_adapter_in_place;
const bench_adapter bench_adapter_in_place = {
    .abi = BENCH_ADAPTER_ABI,
    .name = "in_place",
    .description = "a B+-tree changed in place, pages as large as the tree's, under a rwlock",
    .max_key = UINT64_MAX,
    .open = btree_open,
    .close = btree_close,
    .session_open = session_open,
    .session_close = session_close,
    .get = btree_get,
    .put = btree_put,
    .insert = btree_insert,
    .update = btree_update,
    .remove = btree_remove,
    .scan = btree_scan,
    .sum = btree_sum,
    .bytes = btree_bytes,
    .written = btree_written,
};
