// The router for programs with `import`; the one hub of the process is in router.cjs.
import router from './router.cjs';

export const { realtime, publish } = router;
