/* How many lines of the access log pass. */
#include "access_log.h"
#include "unit.h"

START_TEST(so_many_in_a_second)
{
    struct access_log log = {.on = true, .rate = 3};
    unsigned passed = 0;
    for (uint64_t now = 5000; now < 6000; now++)
        passed += access_log_pass(&log, now);
    ck_assert_uint_eq(passed, 3);
    ck_assert_uint_eq(log.held_back, 997);
    /* The next second has room again, and whoever writes says what was left out. */
    ck_assert(access_log_pass(&log, 6000));
    ck_assert_uint_eq(log.held_back, 997);
    log.held_back = 0;
    ck_assert(access_log_pass(&log, 6999));
    ck_assert(access_log_pass(&log, 6999));
    ck_assert(!access_log_pass(&log, 6999));
    ck_assert(access_log_pass(&log, 70000));
    ck_assert_uint_eq(log.held_back, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access_log");
    TCase *tcase = tcase_create("access_log");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, so_many_in_a_second);
    return unit_main(suite);
}
