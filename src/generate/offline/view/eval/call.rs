//! Calls: functions of the site, and the few of its frameworks that hand values on.

use super::*;

impl Eval<'_> {
    /// A component that is loaded when it is needed: `dynamic(() => import("./Hero"))`.
    fn loaded(&self, callee: &Ex, arguments: &[Ex], env: &Env) -> Option<Val> {
        let name = match &callee.kind {
            ExKind::Name(name) | ExKind::Member(_, name) => name.as_str(),
            _ => return None,
        };
        if !matches!(
            name,
            "dynamic" | "lazy" | "loadable" | "defineAsyncComponent"
        ) {
            return None;
        }
        let code = env.doc.raw(arguments.first()?.span.clone());
        let rest = &code[code.find("import(")? + "import(".len()..];
        let source = rest.split(['"', '\'', '`']).nth(1)?;
        let path = resolve::import(self.site, self.app, &env.doc.path, source)?;
        let file = self.site.doc(&path)?;
        // `.then((module) => module.Hero)`
        let named = rest.split(".then(").nth(1).and_then(|then| {
            let name = then.rsplit('.').next()?;
            let name = name.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
            self.exported(&file, name)
        });
        Some(named.unwrap_or(Val::File(file)))
    }

    pub(super) fn call(&self, callee: &Ex, arguments: &[Ex], env: &Env) -> Option<Val> {
        let argument = |at: usize| arguments.get(at).map(|argument| self.eval(argument, env));
        if let Some(file) = self.loaded(callee, arguments, env) {
            return Some(file);
        }
        match &callee.kind {
            ExKind::Member(object, method) => self.method(object, method, arguments, env),
            ExKind::Name(name) => self.named(name, arguments, env),
            ExKind::Call(..) | ExKind::Func(_) => {
                // `connect(a)(Component)`, an immediately invoked function.
                let function = self.eval(callee, env);
                if matches!(function, Val::Func(..)) {
                    return Some(self.apply(&function, arguments, env));
                }
                argument(0).filter(|value| matches!(value, Val::Func(..) | Val::File(_)))
            }
            _ => None,
        }
    }

    /// A call of a method: `items.map(…)`.
    fn method(&self, object: &Ex, method: &str, arguments: &[Ex], env: &Env) -> Option<Val> {
        let argument = |at: usize| arguments.get(at).map(|argument| self.eval(argument, env));
        match method {
            "map" | "flatMap" | "forEach" => {
                let items = self.items(&self.eval(object, env))?;
                let func = argument(0)?;
                return Some(Val::List(
                    items
                        .into_iter()
                        .map(|item| self.invoke(&func, vec![item]))
                        .collect(),
                ));
            }
            "filter" | "slice" | "sort" | "reverse" | "toSorted" | "toReversed" | "concat"
            | "trim" | "toUpperCase" | "toLowerCase" | "toString" | "freeze" | "memo"
            | "forwardRef" | "splice" | "toLocaleString" | "trimEnd" | "trimStart" | "flat"
            | "capitalize" => {
                let is_library = matches!(method, "freeze" | "memo" | "forwardRef");
                return if is_library {
                    argument(0)
                } else {
                    Some(self.eval(object, env))
                };
            }
            // Nuxt Content: what narrows a collection keeps it, what names one entry is not followed.
            "where" | "order" | "limit" | "skip" | "select" | "only" | "without" | "all" => {
                let value = self.eval(object, env);
                if matches!(value, Val::List(_)) {
                    return Some(value);
                }
            }
            "first" | "findOne" | "path" => {
                if let Val::List(items) = self.eval(object, env) {
                    return match items.as_slice() {
                        [one] if method != "path" => Some(one.clone()),
                        [_] => Some(Val::List(items)),
                        _ => None,
                    };
                }
            }
            "find" | "at" => return self.items(&self.eval(object, env)).map(Val::List),
            "values" => return self.items(&argument(0)?).map(Val::List),
            "entries" => {
                let Val::Data(doc, id, data) = argument(0)? else {
                    return None;
                };
                let entries = doc.node(id).children.iter().filter_map(|pair| {
                    let value = self.node(&doc, *doc.node(*pair).children.first()?, &data);
                    let span = doc.node(*pair).span.clone();
                    Some(Val::List(vec![Val::Gap(doc.clone(), span), value]))
                });
                return Some(Val::List(entries.collect()));
            }
            "render" => {
                return self.name(&format!("slot {}", self.plain(&argument(0)?)?), env);
            }
            "t" | "tm" | "rt" => return self.translation(&self.plain(&argument(0)?)?),
            "useState" | "useMemo" | "useRef" => return self.hook(argument(0)?),
            _ => {}
        }
        let function = self.get(&self.eval(object, env), method)?;
        matches!(function, Val::Func(..)).then(|| self.apply(&function, arguments, env))
    }

    /// A call by name: a function of a framework that hands values on, or one of the site.
    fn named(&self, name: &str, arguments: &[Ex], env: &Env) -> Option<Val> {
        let argument = |at: usize| arguments.get(at).map(|argument| self.eval(argument, env));
        match name {
            "t" | "$t" | "i18n" | "_" | "T" => self.translation(&match &arguments.first()?.kind {
                ExKind::Name(key) => key.clone(),
                _ => self.plain(&argument(0)?)?,
            }),
            "useState" | "ref" | "reactive" | "shallowRef" | "shallowReactive" | "readonly"
            | "markRaw" | "useRef" | "memo" | "forwardRef" | "observer" | "defineComponent"
            | "defineConfig" | "defineAppConfig" | "defineNuxtConfig" | "$state" | "$derived"
            | "writable" | "readable" | "Object" | "String" | "toRefs" | "toRef" | "useMemo"
            | "computed" | "asyncData" | "cache" | "withTranslation" | "connect" | "inject"
            | "defineUserConfig" | "raw" | "stripHtml" | "parse" | "markdownify" => {
                self.hook(argument(0)?)
            }
            "require" => {
                let source = self.plain(&argument(0)?)?;
                let path = resolve::import(self.site, self.app, &env.doc.path, &source)?;
                let doc = self.site.doc(&path)?;
                self.exported(&doc, "default").or(Some(Val::Module(doc)))
            }
            "withDefaults" => argument(1),
            "useAsyncData" | "useLazyAsyncData" => {
                let made = argument(1).or_else(|| argument(0))?;
                let data = match &made {
                    Val::Func(..) => self.invoke(&made, Vec::new()),
                    _ => made,
                };
                Some(Val::Map(Arc::new(HashMap::from([(
                    "data".to_owned(),
                    data,
                )]))))
            }
            "queryCollection" => self.collection(&self.plain(&argument(0)?)?),
            "queryContent" => {
                let path = match argument(0) {
                    Some(value) => self.plain(&value)?,
                    None => "/".to_owned(),
                };
                self.content(&path)
            }
            "$props" | "defineProps" => self.name("$props", env),
            "useAppConfig" => {
                let app = self.app?;
                let doc = ["app.config.ts", "app/app.config.ts", "app.config.js"]
                    .iter()
                    .find_map(|name| self.site.doc(&format!("{}{name}", app.root)))?;
                self.exported(&doc, "default")
            }
            "useDocusaurusContext" => {
                let app = self.app?;
                let doc = [
                    "docusaurus.config.ts",
                    "docusaurus.config.js",
                    "docusaurus.config.mjs",
                ]
                .iter()
                .find_map(|name| self.site.doc(&format!("{}{name}", app.root)))?;
                let config = self.exported(&doc, "default")?;
                Some(Val::Map(Arc::new(HashMap::from([(
                    "siteConfig".to_owned(),
                    config,
                )]))))
            }
            // A filter of a template language keeps what it may, and hides the rest.
            "where" | "first" | "sort" | "limit" | "reverse" | "slice" if arguments.len() == 1 => {
                argument(0)
            }
            _ => {
                let function = self.name(name, env)?;
                matches!(function, Val::Func(..)).then(|| self.apply(&function, arguments, env))
            }
        }
    }

    /// Calls a function of the site with what the arguments are.
    fn apply(&self, function: &Val, arguments: &[Ex], env: &Env) -> Val {
        self.invoke(
            function,
            arguments.iter().map(|a| self.eval(a, env)).collect(),
        )
    }

    /// The entries of a collection of Nuxt Content: the values of its data files, the front matter of its documents.
    fn collection(&self, name: &str) -> Option<Val> {
        let root = &self.app?.root;
        let source = ["content.config.ts", "content.config.js"]
            .iter()
            .find_map(|config| self.site.doc(&format!("{root}{config}")))
            .and_then(|config| {
                let pair = config
                    .nodes
                    .iter()
                    .find(|node| node.kind == Kind::Pair && node.name == name)?;
                let raw = config.raw(pair.span.clone());
                let at = raw.find("source")?;
                let quoted = raw[at..].split(['\'', '"', '`']).nth(1)?;
                Some(quoted.to_owned())
            });
        let pattern = source.unwrap_or_else(|| format!("{name}*"));
        let front = pattern.split('*').next().unwrap_or_default();
        let ending = pattern.rsplit('*').next().unwrap_or_default();
        let base = format!("{root}content/{}", front.trim_start_matches('/'));
        self.entries(|path| {
            path.starts_with(&base)
                && (ending.is_empty() || ending.contains('{') || path.ends_with(ending))
        })
    }

    /// The entry of Nuxt Content at an address, or the entries below it.
    fn content(&self, path: &str) -> Option<Val> {
        let base = format!("{}content{}", self.app?.root, path.trim_end_matches('/'));
        let one = self.entries(|path| {
            ["", "/index"].iter().any(|name| {
                path.strip_prefix(&base)
                    .and_then(|rest| rest.strip_prefix(name))
                    .is_some_and(|rest| rest.starts_with('.') && !rest.contains('/'))
            })
        });
        one.or_else(|| self.entries(|path| path.starts_with(&format!("{base}/"))))
    }

    fn entries(&self, test: impl Fn(&str) -> bool) -> Option<Val> {
        let root = &self.app?.root;
        let base = format!("{root}content/");
        let values: Vec<Val> = self
            .site
            .under(&base)
            .filter(|path| test(path))
            .take(200)
            .filter_map(|path| {
                let doc = self.site.doc(path)?;
                let value = data_root(&doc)?;
                Some(Val::Data(doc.clone(), value, Frame::module(&doc)))
            })
            .collect();
        (!values.is_empty()).then_some(Val::List(values))
    }

    pub(super) fn hook(&self, value: Val) -> Option<Val> {
        match &value {
            Val::Func(_, func, _) if func.params.is_empty() && !func.returns.is_empty() => {
                let shows = self.invoke(&value, Vec::new());
                Some(if matches!(shows, Val::Markup(..) | Val::List(_)) {
                    value
                } else {
                    shows
                })
            }
            _ => Some(value),
        }
    }

    /// What a function returns; several returns are alternatives.
    pub fn invoke(&self, function: &Val, arguments: Vec<Val>) -> Val {
        let Val::Func(doc, func, env) = function else {
            return function.clone();
        };
        let env = self.bind(doc, func, env, arguments);
        let mut values: Vec<Val> = func.returns.iter().map(|ex| self.eval(ex, &env)).collect();
        if values.len() > 1 {
            values.retain(|value| !matches!(value, Val::Gap(..)));
        }
        match values.len() {
            0 => Val::Gap(
                doc.clone(),
                func.returns.first().map_or(0..0, |ex| ex.span.clone()),
            ),
            1 => values.remove(0),
            _ => Val::List(values),
        }
    }

    /// A function's scope with its parameters bound.
    pub fn bind(&self, doc: &Arc<Doc>, func: &Arc<Func>, env: &Env, arguments: Vec<Val>) -> Env {
        let mut vars = HashMap::new();
        for (pattern, argument) in func.params.iter().zip(arguments) {
            match pattern {
                Pattern::Name(name) => {
                    vars.insert(name.clone(), argument);
                }
                Pattern::Object(keys, rest) => {
                    for (key, local, default) in keys {
                        let found = self
                            .get(&argument, key)
                            .filter(|value| !matches!(value, Val::Gap(..)));
                        let value = found
                            .or_else(|| default.as_ref().map(|default| self.eval(default, env)));
                        if let Some(value) = value {
                            vars.insert(local.clone(), value);
                        }
                    }
                    if let Some(rest) = rest {
                        vars.insert(rest.clone(), argument);
                    }
                }
                Pattern::Array(names) => {
                    for (at, local) in names.iter().enumerate() {
                        if let Some(local) = local
                            && let Some(value) = self.get(&argument, &at.to_string())
                        {
                            vars.insert(local.clone(), value);
                        }
                    }
                }
                Pattern::Other => {}
            }
        }
        Arc::new(Frame {
            doc: doc.clone(),
            vars,
            func: Some(func.clone()),
            with: Vec::new(),
            parent: Some(env.clone()),
        })
    }

    /// A translated text in the site's first language.
    pub(super) fn translation(&self, key: &str) -> Option<Val> {
        let app = self.app?;
        let folders = [
            "locales/",
            "src/locales/",
            "i18n/",
            "src/i18n/",
            "messages/",
            "lang/",
            "public/locales/",
            "i18n/locales/",
        ];
        let roots = [Some(&app.root), app.theme.as_ref()];
        for root in roots.into_iter().flatten() {
            for folder in folders {
                let base = format!("{root}{folder}");
                let files: Vec<&str> = self.site.under(&base).collect();
                let english = files.iter().filter(|path| {
                    path[base.len()..].split(['/', '.']).any(|part| {
                        part == "en" || part.starts_with("en-") || part.starts_with("en_")
                    })
                });
                for path in english {
                    let Some(doc) = self.site.doc(path) else {
                        continue;
                    };
                    let Some(mut value) = self.exported(&doc, "default") else {
                        continue;
                    };
                    // A list of `{ id, translation }`.
                    let listed =
                        self.items(&value)
                            .unwrap_or_default()
                            .into_iter()
                            .find_map(|item| {
                                let id = self.get(&item, "id")?;
                                (self.plain(&id)? == key)
                                    .then(|| {
                                        self.get(&item, "translation")
                                            .or_else(|| self.get(&item, "other"))
                                    })
                                    .flatten()
                            });
                    if listed.is_some() {
                        return listed;
                    }
                    if let Some(direct) = self.get(&value, key) {
                        // Hugo nests the text below `other` or `translation`.
                        let text = ["other", "translation"]
                            .iter()
                            .find_map(|inner| self.get(&direct, inner));
                        return Some(text.unwrap_or(direct));
                    }
                    let found = key
                        .split(['.', ':'])
                        .all(|part| match self.get(&value, part) {
                            Some(next) => {
                                value = next;
                                true
                            }
                            None => false,
                        });
                    if found {
                        return Some(value);
                    }
                }
            }
        }
        None
    }
}
