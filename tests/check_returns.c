/* The order of what has come back from leases, against a plain array. */
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "queue/returns.h"
#include "random.h"
#include "scarcity.h"
#include "unit.h"

enum { MOST = 200 };

/* In the order in which they stand, the head first. */
struct model {
    size_t count;
    uint64_t ids[MOST];
};

static size_t model_before(const struct model *model, uint64_t id)
{
    size_t before = 0;
    while (before < model->count && model->ids[before] < id)
        before++;
    return before;
}

static void check(const struct returns *returns, const struct model *model)
{
    MUST(returns->count == model->count);
    for (size_t i = 0; i < model->count; i++)
        MUST(returns->ids[returns->count - 1 - i] == model->ids[i]);
    MUST((returns->ids == NULL) == (returns->capacity == 0));
}

START_TEST(agrees_with_an_array)
{
    struct returns returns = {0};
    struct model model = {0};
    random_begin(_i);
    for (int step = 0; step < 100000; step++) {
        size_t what = below(1000);
        if (what < 550 && model.count < MOST) {
            uint64_t id = 1 + below(100000);
            size_t before = returns_before(&returns, id);
            MUST(before == model_before(&model, id));
            if (below(10) == 0)
                before = below(before + 1); /* the others could not be lifted */
            returns_add(&returns, before, id);
            memmove(model.ids + before + 1, model.ids + before, (model.count - before) * sizeof id);
            model.ids[before] = id;
            model.count++;
        } else if (what < 998) {
            returns_drop_head(&returns);
            if (model.count > 0)
                memmove(model.ids, model.ids + 1, --model.count * sizeof model.ids[0]);
        } else {
            returns_forget(&returns);
            model.count = 0;
        }
        check(&returns, &model);
    }
    returns_forget(&returns);
    check(&returns, &(struct model){0});
}
END_TEST

/* Nothing is kept for a queue of which nothing is known. */
START_TEST(empty_ones_hold_no_memory)
{
    struct returns returns = {0};
    returns_forget(&returns);
    returns_drop_head(&returns);
    for (uint64_t id = 1; id <= 100; id++)
        returns_add(&returns, 0, id);
    for (int i = 0; i < 100; i++)
        returns_drop_head(&returns);
    ck_assert_ptr_null(returns.ids);
    ck_assert_uint_eq(returns.capacity, 0);
}
END_TEST

START_TEST(forgets_all_without_memory)
{
    struct returns returns = {0};
    uint64_t id = 0;
    allocations_left = 1;
    do
        returns_add(&returns, 0, ++id);
    while (returns.count == id);
    allocations_left = -1;
    ck_assert_uint_gt(id, 1);
    ck_assert_uint_eq(returns.count, 0);
    ck_assert_ptr_null(returns.ids);
    ck_assert_uint_eq(returns_before(&returns, UINT64_MAX), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("returns");
    TCase *returns = tcase_create("returns");
    tcase_set_timeout(returns, 60);
    tcase_add_loop_test(returns, agrees_with_an_array, 0, 4);
    tcase_add_test(returns, empty_ones_hold_no_memory);
    tcase_add_test(returns, forgets_all_without_memory);
    suite_add_tcase(suite, returns);
    return unit_main(suite);
}
