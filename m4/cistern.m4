# Macros of cistern's configure.ac.

# CISTERN_TRY_FLAGS(FLAGS, COMPILE | LINK, [IF-TAKEN], [IF-NOT])
# Whether the compiler takes FLAGS, all together, without a warning.
AC_DEFUN([CISTERN_TRY_FLAGS], [
    AC_MSG_CHECKING([whether $CC takes $1])
    cistern_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    m4_case([$2],
        [LINK], [AC_LINK_IFELSE([AC_LANG_PROGRAM()], [cistern_taken=yes], [cistern_taken=no])],
        [AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [cistern_taken=yes], [cistern_taken=no])])
    CFLAGS=$cistern_save_CFLAGS
    AC_MSG_RESULT([$cistern_taken])
    AS_IF([test "$cistern_taken" = yes], [$3], [$4])
])

# _CISTERN_FLAGS(VARIABLE, FLAGS, COMPILE | LINK)
# Substitutes VARIABLE: those of FLAGS that the compiler takes.
AC_DEFUN([_CISTERN_FLAGS], [
    $1=
    for cistern_flag in m4_normalize([$2]); do
        CISTERN_TRY_FLAGS([$cistern_flag], [$3], [AS_VAR_APPEND([$1], [" $cistern_flag"])])
    done
    AC_SUBST([$1])
])
AC_DEFUN([CISTERN_COMPILE_FLAGS], [_CISTERN_FLAGS([$1], [$2], [COMPILE])])
AC_DEFUN([CISTERN_LINK_FLAGS], [_CISTERN_FLAGS([$1], [$2], [LINK])])

# CISTERN_FORTIFY(VARIABLE)
# Substitutes VARIABLE: the highest level of _FORTIFY_SOURCE there is; nothing
# where the user has chosen one, where nothing is optimised (the C library
# warns), and under a sanitizer (it does not see through the checked functions).
AC_DEFUN([CISTERN_FORTIFY], [
    $1=
    AC_MSG_CHECKING([for _FORTIFY_SOURCE])
    cistern_save_CFLAGS=$CFLAGS
    AS_IF([test -z "$SANITIZER_CFLAGS"], [
        for cistern_level in 2 3; do
            CFLAGS="$cistern_save_CFLAGS -Werror -D_FORTIFY_SOURCE=$cistern_level"
            AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
                #include <stdio.h>
                #ifndef __OPTIMIZE__
                #error not optimised
                #endif]])],
                [$1=-D_FORTIFY_SOURCE=$cistern_level])
        done
    ])
    CFLAGS=$cistern_save_CFLAGS
    AC_MSG_RESULT([${$1:-left alone}])
    AC_SUBST([$1])
])

# CISTERN_EXPAND(VARIABLE, PATH)
# PATH with ${prefix} and the like filled in, to be shown; make fills in its own.
AC_DEFUN([CISTERN_EXPAND], [
    $1=$(
        test "$prefix" != NONE || prefix=$ac_default_prefix
        test "$exec_prefix" != NONE || exec_prefix=$prefix
        eval eval echo "\"$2\""
    )
])
