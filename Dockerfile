# One image for every part: the command says which. The source runs as it stands, so there is nothing to build but its dependencies.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0
COPY --from=dependencies /app/node_modules node_modules
COPY package.json run.mjs run.hooks.mjs .swcrc ./
COPY schema schema
COPY subgraphs subgraphs
COPY gateway gateway
USER node
EXPOSE 4000
CMD ["node", "--import", "./run.mjs", "gateway/index.ts"]
