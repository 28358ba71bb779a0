#include "address.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static const char *canonical(const char *text)
{
    static char buffer[ADDRESS_TEXT_SIZE];
    struct address address;
    char why[128];

    if (!address_parse(&address, text, why, sizeof(why)))
        return NULL;
    return address_format(&address, buffer, sizeof(buffer));
}

static struct address parsed(const char *text)
{
    struct address address;
    char why[128];

    ck_assert_msg(address_parse(&address, text, why, sizeof(why)), "%s: %s", text, why);
    return address;
}

static const struct {
    const char *text;
    const char *canonical;
    enum address_family family;
    uint16_t port;
} good[] = {
    {"127.0.0.1:7007", "127.0.0.1:7007", ADDRESS_IPV4, 7007},
    {"0.0.0.0:0", "0.0.0.0:0", ADDRESS_IPV4, 0},
    {"255.255.255.255:65535", "255.255.255.255:65535", ADDRESS_IPV4, 65535},
    {"[::1]:7007", "[::1]:7007", ADDRESS_IPV6, 7007},
    {"[0:0:0:0:0:0:0:1]:1", "[::1]:1", ADDRESS_IPV6, 1},
    {"[2001:DB8::0A]:80", "[2001:db8::a]:80", ADDRESS_IPV6, 80},
    {"localhost:7007", "localhost:7007", ADDRESS_NAME, 7007},
    {"Cistern-1.Example.ORG:9", "cistern-1.example.org:9", ADDRESS_NAME, 9},
    {"1st.example:9", "1st.example:9", ADDRESS_NAME, 9},
    {"*:7007", "*:7007", ADDRESS_ANY, 7007},
    {"unix:/run/x.sock", "unix:/run/x.sock", ADDRESS_UNIX, 0},
    {"unix:/run/with space:7", "unix:/run/with space:7", ADDRESS_UNIX, 0},
    {"systemd:jobs", "systemd:jobs", ADDRESS_SYSTEMD, 0},
    {"systemd:Jobs 7.socket~", "systemd:Jobs 7.socket~", ADDRESS_SYSTEMD, 0},
    {"systemd:listener", "systemd:listener", ADDRESS_SYSTEMD, 0},
};

START_TEST(reads_what_it_writes)
{
    struct address address = parsed(good[_i].text);
    ck_assert_int_eq(address.family, good[_i].family);
    ck_assert_uint_eq(address.port, good[_i].port);
    ck_assert_str_eq(canonical(good[_i].text), good[_i].canonical);
    ck_assert_str_eq(canonical(good[_i].canonical), good[_i].canonical);
}
END_TEST

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"", "no port"},
    {"127.0.0.1", "no port"},
    {"7007", "no port"},
    {":7007", "neither"},
    {"127.0.0.1:", "0 to 65535"},
    {"127.0.0.1:65536", "0 to 65535"},
    {"127.0.0.1:99999999999999999999", "0 to 65535"},
    {"127.0.0.1:-1", "0 to 65535"},
    {"127.0.0.1:+1", "0 to 65535"},
    {"127.0.0.1: 1", "0 to 65535"},
    {"127.0.0.1:07007", "0 to 65535"},
    {"127.0.0.1:00", "0 to 65535"},
    {"127.0.0.1:http", "0 to 65535"},
    {"127.0.0.1:7x", "0 to 65535"},
    {"256.0.0.1:1", "neither"},
    {"127.1:1", "neither"},
    {"010.0.0.1:1", "neither"},
    {"1.2.3.4.5:1", "neither"},
    {"2130706433:1", "neither"},
    {"::1:7007", "brackets"},
    {"[::1]", "brackets"},
    {"[::1:7007", "brackets"},
    {"[]:7007", "no IPv6"},
    {"[127.0.0.1]:7007", "no IPv6"},
    {"[fe80::1%eth0]:7007", "no IPv6"},
    {"[::1]7007:1", "brackets"},
    {"**:7", "neither"},
    {"-host:7", "neither"},
    {"host-:7", "neither"},
    {"a..b:7", "neither"},
    {"host.:7", "neither"},
    {"ho_st:7", "neither"},
    {"ho st:7", "neither"},
    {"h\xc3\xb6st:7", "neither"},
    {"unix:", "absolute"},
    {"unix:run/x.sock", "absolute"},
    {"unix:@abstract", "absolute"},
    {"unix:/", "file's name"},
    {"unix:/run/", "file's name"},
    {"unix:/run/a\nb", "control"},
    {"systemd:", "1 to 255"},
    {"systemd:a:b", "colons"},
    {"systemd:a\nb", "ASCII"},
    {"systemd:h\xc3\xb6", "ASCII"},
    {"systemd:listener.12", "stored"},
    {"systemd:queue.jobs", "stored"},
};

START_TEST(refuses)
{
    struct address address = {.port = 4711};
    char why[128] = "";

    ck_assert_msg(!address_parse(&address, bad[_i].text, why, sizeof(why)), "%s", bad[_i].text);
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].text, why);
    ck_assert_uint_eq(address.port, 4711);
}
END_TEST

START_TEST(lengths_are_bounded)
{
    char text[600];
    char label[64];

    snprintf(text, sizeof(text), "unix:/%0*d", 106, 0);
    ck_assert_ptr_nonnull(canonical(text));
    snprintf(text, sizeof(text), "unix:/%0*d", 107, 0);
    ck_assert_ptr_null(canonical(text));
    snprintf(text, sizeof(text), "systemd:%0*d", 255, 0);
    ck_assert_str_eq(canonical(text), text);
    snprintf(text, sizeof(text), "systemd:%0*d", 256, 0);
    ck_assert_ptr_null(canonical(text));

    memset(label, 'a', 63);
    label[63] = '\0';
    snprintf(text, sizeof(text), "%s:7", label);
    ck_assert_ptr_nonnull(canonical(text));
    snprintf(text, sizeof(text), "%sa:7", label);
    ck_assert_ptr_null(canonical(text));
    /* 253 bytes in labels, and 254. */
    snprintf(text, sizeof(text), "%s.%s.%s.%.61s:65535", label, label, label, label);
    ck_assert_str_eq(canonical(text), text);
    snprintf(text, sizeof(text), "%s.%s.%s.%.62s:65535", label, label, label, label);
    ck_assert_ptr_null(canonical(text));
    snprintf(text, sizeof(text), "%s.%s.%s.%s.%s.%s:1", label, label, label, label, label, label);
    ck_assert_ptr_null(canonical(text));
}
END_TEST

static const struct {
    const char *one;
    const char *other;
    bool equal;
    bool clash;
} pairs[] = {
    {"127.0.0.1:1", "127.0.0.1:1", true, true},
    {"127.0.0.1:1", "127.0.0.1:2", false, false},
    {"127.0.0.1:1", "127.0.0.2:1", false, false},
    {"127.0.0.1:0", "127.0.0.1:0", true, false},
    {"*:0", "127.0.0.1:0", false, false},
    {"[::1]:1", "[0::1]:1", true, true},
    {"[::1]:1", "127.0.0.1:1", false, false},
    {"localhost:1", "LOCALHOST:1", true, true},
    {"localhost:1", "127.0.0.1:1", false, false},
    {"*:1", "*:1", true, true},
    {"*:1", "127.0.0.1:1", false, true},
    {"*:1", "[::1]:1", false, true},
    {"*:1", "localhost:1", false, true},
    {"*:1", "0.0.0.0:1", false, true},
    {"*:1", "[::]:1", false, true},
    {"*:1", "unix:/a", false, false},
    {"0.0.0.0:1", "127.0.0.1:1", false, true},
    {"0.0.0.0:1", "[::1]:1", false, false},
    {"0.0.0.0:1", "[::]:1", false, false},
    {"[::]:1", "[::1]:1", false, true},
    {"[::]:1", "127.0.0.1:1", false, false},
    {"unix:/a", "unix:/a", true, true},
    {"unix:/a", "unix:/b", false, false},
    {"systemd:a", "systemd:a", true, true},
    {"systemd:a", "systemd:b", false, false},
    {"systemd:a", "*:1", false, false},
    {"systemd:/a", "unix:/a", false, false},
};

START_TEST(compares)
{
    struct address one = parsed(pairs[_i].one);
    struct address other = parsed(pairs[_i].other);

    ck_assert_int_eq(address_equal(&one, &other), pairs[_i].equal);
    ck_assert_int_eq(address_equal(&other, &one), pairs[_i].equal);
    ck_assert_int_eq(address_clash(&one, &other), pairs[_i].clash);
    ck_assert_int_eq(address_clash(&other, &one), pairs[_i].clash);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("address");
    TCase *tcase = tcase_create("address");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, reads_what_it_writes, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tcase, refuses, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tcase, lengths_are_bounded);
    tcase_add_loop_test(tcase, compares, 0, sizeof(pairs) / sizeof(pairs[0]));
    return unit_main(suite);
}
