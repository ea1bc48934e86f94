//! Parameters, and the placeholders that take them.

use super::*;

/// What is said about a parameter `p` with these keys.
fn summary_of_parameter(keys: &str) -> Vec<String> {
    summary_of_job(&format!("params.p = {{ {keys} }}"))
}

#[test]
fn what_a_parameter_cannot_be_is_told_with_its_remedy() {
    for (keys, said) in [
        ("typ = 'int'", "3:14 unknown key `typ`; did you mean `type`?"),
        (
            "type = 'number', min = 1",
            "3:21 `type` cannot be `number`; it may be `\"text\"`, `\"int\"`, `\"bool\"`, `\"secret\"`",
        ),
        ("choices = []", "3:24 `choices` is empty; write `choices = [\"daily\", \"full\"]`"),
        ("choices = ['a', 'b', 'a']", "3:35 `a` is listed twice; take one of the two out"),
        ("choices = [1]", "3:25 `choices` has a whole number in its list where it must have a string; write `\"1\"`"),
        ("type = 'int', choices = [1, 'x']", "3:42 `x` is not a whole number; write one such as `1`"),
        ("type = 'int', choices = [1, '01']", "3:42 `01` is not a whole number; write one such as `1`"),
        ("type = 'int', choices = [1, '1']", "3:42 `1` is listed twice; take one of the two out"),
        ("choices_from = []", "3:29 `choices_from` is empty; write `choices_from = [\"./program\", \"argument\"]`"),
        ("choices_from = 'ls'", "3:29 `choices_from` must be a list, not a string; write `choices_from = [\"ls\"]`"),
        (
            "choices = ['a'], choices_from = ['b']",
            "3:31 a parameter with `choices` has no `choices_from`; give one of the two",
        ),
        ("type = 'int', min = 3, max = 2", "3:43 no number is from 3 to 2; `min` is the least and `max` the greatest"),
        ("type = 'int', min = '3'", "3:34 `min` must be a whole number, not a string; write `min = 3`"),
        (
            "type = 'int', max = 9223372036854775808",
            "3:34 `max` cannot be 9223372036854775808; it may be -9223372036854775808 to 9223372036854775807",
        ),
        ("max = 3", "3:14 a text has no `max`; write `type = \"int\"` as well"),
        ("type = 'int', pattern = 'x'", "3:28 a whole number has no `pattern`; write `min` and `max`"),
        ("type = 'bool', choices = ['x']", "3:29 a bool has no `choices`; take it out"),
        (
            "choices = ['x'], pattern = 'x'",
            "3:31 a parameter with `choices` has no `pattern`; it is one of them and nothing else: take it out",
        ),
        (
            "type = 'secret', default = 'x'",
            "3:31 a secret has no `default`; its value would stand in this file: put it into an `env_file`, or take this \
             out and it is asked for",
        ),
        (
            "type = 'secret', choices = ['x']",
            "3:31 a secret has no `choices`; whoever may choose it sees it: take this or `type` out",
        ),
        (
            "pattern = '(a'",
            "3:24 `pattern` is refused: unclosed group; write it as https://docs.rs/regex/latest/regex/#syntax says, best in \
             single quotes: '[a-z]+'",
        ),
        (
            "type = 'bool', default = 1",
            "3:39 `default` must be true or false, not a whole number; write `default = true`",
        ),
        ("type = 'bool', default = 'yes'", "3:39 the default of `p` cannot be `yes`; it may be true or false"),
        ("default = 5", "3:24 `default` must be a string, not a whole number; write `default = \"5\"`"),
        (
            "type = 'int', default = 1.5",
            "3:38 `default` must be a whole number, not a number with a fraction; write `default = 1`",
        ),
        (
            "type = 'int', min = 1, max = 9, default = 10",
            "3:56 the default of `p` cannot be `10`; it may be a whole number from 1 to 9",
        ),
        (
            "pattern = '[a-z]+', default = ''",
            "3:44 the default of `p` cannot be empty; it may be text that matches [a-z]+",
        ),
        ("choices = ['a'], default = 'b'", "3:41 the default of `p` cannot be `b`; it may be one of a"),
    ] {
        assert_eq!(summary_of_parameter(keys), [said], "{keys}");
    }
}

#[test]
fn a_parameter_has_a_name_of_its_own() {
    for (params, said) in [
        (
            "a-b = {}",
            "4:1 a parameter cannot be named `a-b`; a name is 1 to 64 of the characters a-z, A-Z, 0-9 and `_`, the first a \
             letter",
        ),
        (
            "wait = {}",
            "4:1 a parameter cannot be named `wait`: the job's URL has that word already; take another name, such as `wait_`",
        ),
        (
            "Target = {}\ntarget = {}",
            "5:1 `Target` and `target` would both be the variable PARAM_TARGET; give one of them another name",
        ),
    ] {
        assert_eq!(summary_of_job(&format!("[jobs.x.params]\n{params}")), [said]);
    }
    for word in QUERY_WORDS {
        assert_eq!(summary_of_job(&format!("params.{word} = {{}}")).len(), 1, "{word}");
    }
}

#[test]
fn a_placeholder_that_cannot_be_meant_is_told_at_its_argument() {
    for (command, said) in [
        (
            "['{target}', 'x']",
            "2:12 the program depends on `{target}`; write the program itself: a parameter fills arguments only",
        ),
        ("['./x', '--to={tagret}']", "2:19 `{tagret}` is no parameter of the job; did you mean `{target}`?"),
        ("['./x', '{Target}']", "2:19 `{Target}` is no parameter of the job; did you mean `{target}`?"),
        (
            "['sudo', '/bin/bash', '-ec', 'echo {target}']",
            "2:40 `bash` would read the value of `{target}` as a part of its script; take it from the environment instead, \
             where it is PARAM_TARGET",
        ),
        (
            "['python3', '-c', 'print(\"{target}\")']",
            "2:29 `python3` would read the value of `{target}` as a part of its script; take it from the environment \
             instead, where it is PARAM_TARGET",
        ),
        (
            "'echo {target}'",
            "2:11 `{target}` is not filled in a command that is a string; write \"$PARAM_TARGET\", with the quotes: no \
             shell reads what it contains",
        ),
    ] {
        let found = summary(&format!("[jobs.x]\ncommand = {command}\nparams.target = {{}}"));
        assert_eq!(found, [said], "{command}");
    }
    let default = "[jobs.x]\ncommand = ['rm', '{p}']\nparams.p.default = '-r'";
    assert_eq!(
        summary(default),
        [
            "3:20 the default of `p` cannot be `-r`: it would be an option of the command; it may be any text, not beginning \
          with -"
        ]
    );
    // a parameter that is wrong is one all the same
    assert_eq!(summary("[jobs.x]\ncommand = ['x', '{p}']\nparams.p.choices = []").len(), 1);
    assert_eq!(summary("[jobs.x]\ncommand = ['x', '{target}']\nparams.target = 1").len(), 1);
}
